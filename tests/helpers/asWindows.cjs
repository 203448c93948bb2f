/** Preloaded into a process that must behave as on Windows. */
Object.defineProperty(process, "platform", { value: "win32" });
