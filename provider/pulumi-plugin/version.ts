/** The version of the npm package, which is the plugin's; the bundle holds it. */

export const { version: VERSION } = require("../package.json") as { readonly version: string };
