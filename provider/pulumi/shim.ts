/** The text that the engine stores as the resource's provider: constant for ever, so that no release or machine makes a diff. */

/**
 * Written by hand in the form that the engine evaluates (`handler()` gives the provider), not serialized from a closure:
 * a serialized one changes with the versions of TypeScript and Pulumi, and read and delete run the text that state holds.
 * It names this package only, which is looked up in the project's node_modules whenever it runs.
 */
export const PROVIDER_SHIM = `exports.handler = function () {
  var DynamicProvider = require("ami-launch-permissions/dynamic-provider").DynamicProvider;
  return new DynamicProvider();
};
`;
