/** The source text that the engine stores as the provider of the resource. It never changes, so that no release and no machine causes a diff. */

/**
 * The engine evaluates this text, and `handler()` returns the provider. Read and delete run the text that the state contains. It is
 * written by hand, because the text of a serialized closure changes with the versions of TypeScript and Pulumi. It loads only this
 * package, from the node_modules of the project.
 */
export const PROVIDER_SHIM = `exports.handler = function () {
  var DynamicProvider = require("ami-launch-permissions/dynamic-provider").DynamicProvider;
  return new DynamicProvider();
};
`;
