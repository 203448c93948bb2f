/** Which folder may import which: the core knows no engine, its rooms know those before them, an engine's folder knows only the core. */

/** The rooms of the core: each may use those before it. */
const ROOMS = ["model", "aws", "declaration", "planning", "operations"];

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "core-knows-no-engine",
      severity: "error",
      from: { path: "^provider/core" },
      to: { path: ["^provider/(?!core)", "node_modules/(@pulumi|@grpc|@msgpack|cdktf|cdktn)"] },
    },
    {
      name: "sdk-behind-the-gateway",
      comment: "what core/aws/sdk names is in the bundles",
      severity: "error",
      from: { path: "^provider", pathNot: "^provider/core/aws/sdk/" },
      to: { path: "node_modules/@aws-sdk" },
    },
    {
      name: "rooms-have-one-door",
      severity: "error",
      from: { path: "^provider/core/(\\w+)/" },
      to: { path: "^provider/core/\\w+/(?!index\\.ts$)", pathNot: "^provider/core/$1/" },
    },
    ...ROOMS.slice(0, -1).map((room, i) => ({
      name: `${room}-knows-no-later-room`,
      severity: "error",
      from: { path: `^provider/core/${room}/` },
      to: { path: `^provider/core/(index\\.ts$|(${ROOMS.slice(i + 1).join("|")})/)` },
    })),
    {
      name: "engines-know-the-core's-door-only",
      severity: "error",
      from: { path: "^provider/(pulumi|pulumi-plugin|terraform|cli)" },
      to: { path: "^provider/core/(?!index\\.ts$)" },
    },
    {
      name: "a-set-in-terraform-has-one-door",
      severity: "error",
      from: { path: "^provider/terraform/(?!set/)" },
      to: { path: "^provider/terraform/set/(?!index\\.ts$)" },
    },
    {
      name: "only-adapters-use-the-core's-inner-door",
      comment: "core/index.ts is internal: it has what the adapters need; core/public.ts takes its names from the rooms",
      severity: "error",
      from: { pathNot: "^provider/(pulumi|pulumi-plugin|terraform|cli)/" },
      to: { path: "^provider/core/index\\.ts$" },
    },
    {
      name: "public-door-for-users-only",
      comment: "what is changed for an adapter must not change what users import",
      severity: "error",
      from: {},
      to: { path: "^provider/core/public\\.ts$" },
    },
    {
      name: "engines-know-each-other-not",
      severity: "error",
      from: { path: "^provider/(pulumi|terraform|cdk)/" },
      to: { path: "^provider/(pulumi|terraform|cdk|cli)/", pathNot: "^provider/$1/" },
    },
    {
      name: "pulumi's-plugin-uses-the-dynamic-provider",
      comment:
        "of the other adapters it knows provider/pulumi only, and of that nothing that runs in a program; nobody knows the plugin",
      severity: "error",
      from: { path: "^provider/pulumi-plugin/" },
      to: {
        path: "^provider/(terraform|cdk|cli|pulumi)/",
        pathNot:
          "^provider/pulumi/(dynamicProvider|otherProviders|previewReport|process|sdkInternals|secrets|sharedImages|stackConfig|stackRules|state|typeNames)\\.ts$",
      },
    },
    {
      name: "nobody-uses-pulumi's-plugin",
      comment: "it is bundled; the command installs it",
      severity: "error",
      from: { path: "^provider/(?!pulumi-plugin/)" },
      to: { path: "^provider/pulumi-plugin/(?!install\\.ts$)" },
    },
    {
      name: "constructs-stand-alone",
      comment: "Terraform's provider does the work; the constructs only describe it",
      severity: "error",
      from: { path: "^provider/cdk/" },
      to: { path: "^provider/(?!cdk/|package\\.json$)" },
    },
    {
      name: "program-uses-the-package-only",
      severity: "error",
      from: { path: "^index\\.ts$" },
      to: { path: "^provider/(?!dist)" },
    },
    {
      name: "sdk-is-loaded-late",
      comment: "a run that makes no call does not read the AWS SDK",
      severity: "error",
      from: { path: "^provider", pathNot: "^provider/core/aws/sdk/" },
      to: { path: "^provider/core/aws/sdk/", dependencyTypesNot: ["dynamic-import", "type-only", "type-import"] },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "constructs-need-what-users-install",
      comment: "they are the only part that is not bundled",
      severity: "error",
      from: { path: "^provider/cdk/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg"], dependencyTypesNot: ["npm-peer", "type-only"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^provider/dist" },
  },
};
