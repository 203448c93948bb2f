/** Compares the constructs with those that CDKTN's generator makes from the provider's schema: the same members, types and Terraform output. */

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import * as cdktn from "cdktn";
import type { Construct } from "constructs";
import * as ts from "typescript";
import * as constructs from "../../provider/cdk";
import { type Attributes, AUDIT_SCHEMA, DATA_SOURCE_SCHEMA, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { type Emulator, ROOT, useEmulator } from "../helpers/emulator";
import { fetchPackage } from "../helpers/packageCopy";
import { TerraformProject } from "../helpers/terraformProject";

/** The provider's schema as the real Terraform returns it. */
async function schemaJson(emulator: Emulator): Promise<unknown> {
  const project = await TerraformProject.create(emulator, "");
  try {
    return JSON.parse((await project.succeed("providers", "schema", "-json")).stdout);
  } finally {
    project.remove();
  }
}

const GENERATOR = ["@cdktn/provider-generator", "0.24.0"] as const;
const GENERATE = `
const { readFileSync } = require("node:fs");
const { CodeMaker, TerraformProviderGenerator } = require(process.argv[1]);
const generator = new TerraformProviderGenerator(new CodeMaker(), JSON.parse(readFileSync(0, "utf8")));
generator.generateAll();
generator.save(".");
`;
/** The generated modules with constructs. */
const MODULES = ["provider", "launch-permission-set", "data-ami-launch-permissions", "data-ami-launch-permission-audit"];

/**
 * What only generated constructs have: import for types that cannot be imported, arguments for constructs without arguments, internal
 * functions, and the provider's function. Programs use the package's kmsKeyPolicyStatements instead.
 */
const NOT_OURS = [
  /^(new )?AmiProvider(\.functions|Functions)\b/,
  /^(AmiProvider|DataAmiLaunchPermissions|DataAmiLaunchPermissionAudit)\.static generateConfigForImport/,
  /^DataAmiLaunchPermission(s|AuditAmis)Snapshots$|^DataAmiLaunchPermissionAuditAmis$|\bDataAmi\w+OutputReference\)?\.internalValue/,
  /To(Hcl)?Terraform$/,
];

/** A class of either kind, without its types. */
type Class = new (scope: Construct, id: string, config: object) => Construct & Record<string, unknown>;
type Bindings = Readonly<
  Record<"AmiProvider" | "AmiLaunchPermissionSet" | "DataAmiLaunchPermissions" | "DataAmiLaunchPermissionAudit", Class>
>;

describe("the constructs compared with generated ones", function () {
  // The first run downloads the generator.
  this.timeout(300_000);
  const source = path.join(ROOT, "provider/cdk/index.ts");
  const emulator = useEmulator();
  let folder: string;
  let files: string[];
  let program: ts.Program;

  before(async () => {
    // In the repository, so that the generated code uses the same library.
    folder = fs.mkdtempSync(path.join(ROOT, ".toolchain", "bindings-"));
    await generate(await schemaJson(emulator()), folder);
    files = MODULES.map((name) => path.join(folder, "providers", "ami", name, "index.ts"));
    program = compiled(source, ...files);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it("have the same members with the same types", () => {
    const generated = files.flatMap((file) => membersIn(program, file)).map(inOurNames);
    assert.ok(generated.length > 200, generated.join("\n"));
    const ours = membersIn(program, source).filter((member) => member !== "PROVIDER_SOURCE");
    assert.deepEqual(ours.sort(), generated.filter(isOurs).sort());
  });

  it("accept the same assigned values", () => {
    const assignments = files.flatMap((file) => assignmentsIn(program, file)).filter(isOurs);
    assert.ok(assignments.length > 20, assignments.join("\n"));
    const file = path.join(folder, "assignments.ts");
    const imports = ['import * as cdktn from "cdktn";', `import * as ours from ${JSON.stringify(path.dirname(source))};`];
    fs.writeFileSync(file, [...imports, ...assignments].join("\n"));
    const found = ts.getPreEmitDiagnostics(compiled(file));
    const problems = found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
    assert.deepEqual(problems, []);
  });

  const given = {
    imageId: "ami-0123456789abcdef0",
    accountIds: ["111122223333"],
    organizationArns: ["arn:aws:organizations::111122223333:organization/o-abcde12345"],
    organizationalUnitArns: [],
    public: true,
    acknowledgePublic: true,
    createVolumePermissions: { accountIds: [], snapshotIds: ["snap-0123456789abcdef0"], public: false },
    maxRevocations: 0,
    unrecorded: "refuse",
    neverRevoke: ["444455556666"],
    allowedGrantees: ["111122223333"],
    kmsAccess: "grant",
    checkUsage: false,
    mode: "additive",
    onDelete: "retain",
    region: "eu-west-1",
  };
  const assumeRole = { roleArn: "arn:aws:iam::111122223333:role/sharing", externalId: "42", sessionName: "golden" };
  const provider = {
    region: "eu-west-1",
    profile: "p",
    endpoint: "http://127.0.0.1",
    assumeRole,
    maxRetries: 3,
    allowedGrantees: ["111122223333", "o-abcde12345"],
    accountNames: { "111122223333": "acme-prod" },
    names: "organizations",
    alias: "europe",
  };
  const cases: readonly [what: string, program: (stack: cdktn.TerraformStack, bindings: Bindings) => void][] = [
    [
      "every argument",
      (stack, { AmiProvider, AmiLaunchPermissionSet, DataAmiLaunchPermissions, DataAmiLaunchPermissionAudit }) => {
        const europe = new AmiProvider(stack, "ami", provider);
        const golden = new AmiLaunchPermissionSet(stack, "golden", { ...given, provider: europe });
        new AmiLaunchPermissionSet(stack, "empty", { imageId: golden.imageId, createVolumePermissions: {} });
        const { imageId, region } = given;
        new DataAmiLaunchPermissions(stack, "now", { imageId, region, dependsOn: [golden] });
        new DataAmiLaunchPermissionAudit(stack, "all", { owner: "others", includeSnapshots: false, region });
      },
    ],
    [
      "every argument assigned",
      (stack, { AmiProvider, AmiLaunchPermissionSet, DataAmiLaunchPermissions }) => {
        Object.assign(new AmiProvider(stack, "ami", {}), provider);
        const { createVolumePermissions, ...plain } = given;
        const golden = Object.assign(new AmiLaunchPermissionSet(stack, "golden", { imageId: "ami-" }), plain);
        call(golden, "putCreateVolumePermissions", { snapshotIds: ["snap-"] });
        Object.assign(golden.createVolumePermissions as object, createVolumePermissions);
        const { imageId, region } = given;
        Object.assign(new DataAmiLaunchPermissions(stack, "now", { imageId: "ami-" }), { imageId, region });
      },
    ],
    [
      "every argument taken back",
      (stack, { AmiProvider, AmiLaunchPermissionSet, DataAmiLaunchPermissions }) => {
        const { imageId, region, ...optional } = given;
        const constructs = [
          [new AmiProvider(stack, "ami", provider), provider],
          [new AmiLaunchPermissionSet(stack, "golden", given), { ...optional, region }],
          [new DataAmiLaunchPermissions(stack, "now", { imageId, region }), { region }],
        ] as const;
        for (const [construct, args] of constructs) for (const name of Object.keys(args)) call(construct, resetOf(name));
        const other = new AmiLaunchPermissionSet(stack, "other", given);
        for (const name of ["accountIds", "public"]) call(other.createVolumePermissions, resetOf(name));
      },
    ],
    [
      "what was given, read back",
      (stack, { AmiProvider, AmiLaunchPermissionSet }) => {
        const read = (construct: object, names: object) =>
          Object.fromEntries(Object.keys(names).map((name) => [name, (construct as Record<string, unknown>)[`${name}Input`]]));
        const europe = new AmiProvider(stack, "ami", provider);
        const golden = new AmiLaunchPermissionSet(stack, "golden", given);
        const value = [europe.endpoint, read(europe, provider), read(golden, given)];
        new cdktn.TerraformOutput(stack, "given", { value });
      },
    ],
    [
      "every reference",
      (stack, { AmiLaunchPermissionSet, DataAmiLaunchPermissions, DataAmiLaunchPermissionAudit }) => {
        const golden = new AmiLaunchPermissionSet(stack, "golden", given);
        const { amis, ...ofAll } = AUDIT_SCHEMA.attributes;
        const { snapshots: ofThem, ...ofEach } = amis?.nested?.attributes ?? {};
        const all = new DataAmiLaunchPermissionAudit(stack, "all", {});
        const third = call(all.amis, "get", 3) as Record<string, unknown>;
        const now = new DataAmiLaunchPermissions(stack, "now", given);
        const { create_volume_permissions: volumes, ...ofSet } = RESOURCE_SCHEMA.attributes;
        const { snapshots, ...ofImage } = DATA_SOURCE_SCHEMA.attributes;
        const value = [
          referencesOf(golden, ofSet),
          referencesOf(golden.createVolumePermissions, volumes?.nested?.attributes),
          referencesOf(now, ofImage),
          referencesOf(call(now.snapshots, "get", 2), snapshots?.nested?.attributes),
          [referencesOf(all, ofAll), referencesOf(third, ofEach)],
          referencesOf(call(third.snapshots, "get", 1), ofThem?.nested?.attributes),
          [golden.createVolumePermissions, now.snapshots, call(golden.grants, "lookup", "public")],
        ];
        new cdktn.TerraformOutput(stack, "references", { value });
      },
    ],
  ];
  for (const [what, program] of cases)
    it(`write the same Terraform JSON for ${what}`, () => {
      const { LaunchPermissionSet: AmiLaunchPermissionSet, ...rest } = Object.assign({}, ...files.map((file) => require(file)));
      const generated = synthesized(program, { AmiLaunchPermissionSet, ...rest });
      assert.ok(JSON.stringify(generated).length > 100);
      assert.deepEqual(synthesized(program, constructs as unknown as Bindings), generated);
    });
});

/** The Terraform JSON of a program, without the source and version of the provider, which generated code leaves to its users. */
function synthesized(program: (stack: cdktn.TerraformStack, bindings: Bindings) => void, bindings: Bindings): unknown {
  const stack = new cdktn.TerraformStack(new cdktn.App({ outdir: os.tmpdir(), stackTraces: false }), "test");
  program(stack, bindings);
  const { terraform: _, ...rest } = JSON.parse(cdktn.Testing.synth(stack));
  return rest;
}

async function generate(schema: unknown, folder: string): Promise<void> {
  const generator = path.join(await fetchPackage(...GENERATOR), GENERATOR[0]);
  const guard = path.join(ROOT, "tests/helpers/offlineGuard.cjs");
  const running = promisify(execFile)(process.execPath, ["--require", guard, "-e", GENERATE, generator], { cwd: folder });
  running.child.stdin?.end(JSON.stringify(schema));
  await running;
}

function compiled(...files: string[]): ts.Program {
  // As users compile. The generated constructs do not compile with exactOptionalPropertyTypes.
  const options: ts.CompilerOptions = { strict: true, skipLibCheck: true, noEmit: true, types: ["node"] };
  const [target, module, moduleResolution] = [ts.ScriptTarget.ES2022, ts.ModuleKind.CommonJS, ts.ModuleResolutionKind.Node10];
  return ts.createProgram(files, {
    ...options,
    target,
    module,
    moduleResolution,
    typeRoots: [path.join(ROOT, "node_modules/@types")],
  });
}

/** A line for each member of each class and interface that a module exports, and one for each other export. */
function membersIn(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker();
  const typeOf = (symbol: ts.Symbol) => text(checker, checker.getTypeOfSymbol(symbol));
  return exportsOf(program, file).flatMap((symbol) => {
    const { name, flags } = symbol;
    if (!(flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) return [name];
    const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).filter(isPublic);
    const lines = members.map((member) => `${name}.${member.name}${isOptional(member) ? "?" : ""}: ${typeOf(member)}`);
    if (!(flags & ts.SymbolFlags.Class)) return [name, ...lines];
    const own = checker.getTypeOfSymbol(symbol);
    const statics = checker.getPropertiesOfType(own).filter((member) => member.name !== "prototype" && isPublic(member));
    const [construct] = own.getConstructSignatures();
    const parameters = construct?.parameters.map((parameter) => `${parameter.name}: ${typeOf(parameter)}`);
    const ofClass = statics.map((member) => `${name}.static ${member.name}: ${typeOf(member)}`);
    return [name, ...lines, ...ofClass, `new ${name}(${parameters?.join(", ")})`];
  });
}

/** A line for each setter in a module's classes. It assigns a value of the setter's type to the same property of our construct. */
function assignmentsIn(program: ts.Program, file: string): string[] {
  const classes = exportsOf(program, file).flatMap(({ valueDeclaration: declared }) =>
    declared && ts.isClassDeclaration(declared) ? [declared] : [],
  );
  return classes.flatMap((declared) =>
    declared.members.filter(ts.isSetAccessorDeclaration).map((setter) => {
      const type = inOurNames(setter.parameters[0]?.type?.getText() ?? "").replace(/\b(Data)?Ami\w+/g, "ours.$&");
      const target = `(null as unknown as ours.${inOurNames(declared.name?.text ?? "")})`;
      return `${target}.${setter.name.getText()} = null as unknown as ${type};`;
    }),
  );
}

function exportsOf(program: ts.Program, file: string): ts.Symbol[] {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile) as ts.Symbol;
  const symbols = checker.getExportsOfModule(module);
  return symbols.map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
}

function isPublic({ declarations }: ts.Symbol): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  return !declarations?.some((declaration) => ts.getCombinedModifierFlags(declaration) & hidden);
}

function isOptional({ flags }: ts.Symbol): boolean {
  return (flags & ts.SymbolFlags.Optional) !== 0;
}

/** A type as text, with the parts of a union sorted. */
function text(checker: ts.TypeChecker, type: ts.Type): string {
  const words = (part: ts.Type) => checker.typeToString(part, undefined, ts.TypeFormatFlags.NoTruncation);
  return inOurNames(words(type)).split(" | ").sort().join(" | ");
}

/** The generator removes the provider's name from the names of resources. */
function inOurNames(line: string): string {
  return line.replace(/\bLaunchPermissionSet/g, "AmiLaunchPermissionSet");
}

function isOurs(line: string): boolean {
  return !NOT_OURS.some((pattern) => pattern.test(line));
}

function call(construct: unknown, method: string, ...args: unknown[]): unknown {
  return (construct as Record<string, (...args: unknown[]) => unknown>)[method]?.(...args);
}

function resetOf(name: string): string {
  return `reset${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function referencesOf(construct: unknown, attributes: Attributes = assert.fail("the schema has no such object")): unknown[] {
  const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.keys(attributes).map((name) => (construct as Record<string, unknown>)[camelCase(name)] ?? assert.fail(name));
}
