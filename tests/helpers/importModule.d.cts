// biome-ignore lint/suspicious/noExplicitAny: a module that is found at run time has no types here.
export function importModule(path: string): Promise<any>;
