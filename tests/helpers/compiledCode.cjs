/** Preloaded into a Pulumi program and its provider, so that both can use the same compiled code. Pulumi's SDK sets this flag later, and V8 refuses code that was compiled without it. */
require("node:v8").setFlagsFromString("--allow-natives-syntax");
