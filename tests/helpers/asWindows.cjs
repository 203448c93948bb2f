/** Preloaded into a process that is to choose as it does on Windows. */
Object.defineProperty(process, "platform", { value: "win32" });
