/** Native `import()` for tests that are compiled to CommonJS. */
exports.importModule = (path) => import(path);
