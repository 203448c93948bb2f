// biome-ignore lint/suspicious/noExplicitAny: a module that is loaded at run time has no types.
export function importModule(path: string): Promise<any>;
