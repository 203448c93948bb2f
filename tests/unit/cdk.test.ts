/** The constructs of CDKTN and CDKTF: the Terraform JSON that programs generate with them, and their doc comments compared with the schema. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as onCdktf from "ami-launch-permissions/cdktf";
import * as cdktf from "cdktf";
import * as cdktn from "cdktn";
import * as ts from "typescript";
import * as onCdktn from "../../provider/cdk";
import {
  type Attribute,
  type Attributes,
  AUDIT_SCHEMA,
  DATA_SOURCE_SCHEMA,
  PROVIDER_ADDRESS,
  PROVIDER_SCHEMA,
  RESOURCE_SCHEMA,
  type Schema,
} from "../../provider/terraform/schema";

const [FIRST, SECOND] = ["111122223333", "044455556666"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const IMAGE = "ami-0123456789abcdef0";
const SNAPSHOT = "snap-0123456789abcdef0";

/** The parts of Terraform's JSON that the tests read. */
interface Synthesized {
  readonly provider?: { readonly ami: readonly object[] };
  readonly resource?: { readonly ami_launch_permission_set: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  readonly data?: Readonly<
    Record<"ami_launch_permissions" | "ami_launch_permission_audit", Readonly<Record<string, Readonly<Record<string, unknown>>>>>
  >;
  readonly output?: { readonly all: { readonly value: unknown } };
  readonly import?: readonly object[];
  readonly terraform: { readonly required_providers: Readonly<Record<string, object>> };
}

const LIBRARIES = [
  { name: "CDKTN", library: cdktn, bindings: onCdktn },
  // The same values, but different types for the compiler.
  { name: "CDKTF", library: cdktf as unknown as typeof cdktn, bindings: onCdktf as unknown as typeof onCdktn },
];
for (const { name, library, bindings } of LIBRARIES)
  describe(`the constructs of ${name}`, () => {
    const { AmiProvider, AmiLaunchPermissionSet, DataAmiLaunchPermissionAudit, DataAmiLaunchPermissions } = bindings;

    function stackWith(program: (stack: cdktn.TerraformStack) => void): cdktn.TerraformStack {
      // An existing folder: the tests write nothing, so that nothing has to be removed.
      const stack = new library.TerraformStack(new library.App({ outdir: os.tmpdir(), stackTraces: false }), "test");
      program(stack);
      return stack;
    }

    /** Validates the program as `synth` does, and for every provider that constructs need. */
    function synthesized(program: (stack: cdktn.TerraformStack) => void): Synthesized {
      const stack = stackWith((stack) => {
        new AmiProvider(stack, "ami");
        program(stack);
      });
      return JSON.parse(library.Testing.synth(stack, true));
    }

    function setIn(program: (stack: cdktn.TerraformStack) => void): unknown {
      return synthesized(program).resource?.ami_launch_permission_set.golden;
    }

    const everything: onCdktn.AmiLaunchPermissionSetConfig = {
      imageId: IMAGE,
      accountIds: [FIRST, SECOND],
      organizationArns: [ORGANIZATION],
      organizationalUnitArns: [UNIT],
      public: true,
      acknowledgePublic: true,
      createVolumePermissions: { accountIds: [FIRST], snapshotIds: [SNAPSHOT], public: false },
      maxRevocations: 0,
      unrecorded: "refuse",
      neverRevoke: [SECOND],
      allowedGrantees: [FIRST, SECOND, ORGANIZATION, "file://units.yaml"],
      kmsAccess: "grant",
      checkUsage: false,
      mode: "additive",
      onDelete: "retain",
      region: "eu-west-1",
      timeouts: { create: "30m", update: "1h30m", delete: "10m" },
    };
    const everythingInTerraform = {
      image_id: IMAGE,
      account_ids: [FIRST, SECOND],
      organization_arns: [ORGANIZATION],
      organizational_unit_arns: [UNIT],
      public: true,
      acknowledge_public: true,
      create_volume_permissions: { account_ids: [FIRST], snapshot_ids: [SNAPSHOT], public: false },
      max_revocations: 0,
      unrecorded: "refuse",
      never_revoke: [SECOND],
      allowed_grantees: [FIRST, SECOND, ORGANIZATION, "file://units.yaml"],
      kms_access: "grant",
      check_usage: false,
      mode: "additive",
      on_delete: "retain",
      region: "eu-west-1",
      timeouts: { create: "30m", update: "1h30m", delete: "10m" },
    };

    it("write every argument of a set", () => {
      assert.deepEqual(Object.keys(everythingInTerraform), argumentsIn(RESOURCE_SCHEMA.attributes));
      const set = setIn((stack) => new AmiLaunchPermissionSet(stack, "golden", everything));
      assert.deepEqual(set, everythingInTerraform);
      assert.equal(AmiLaunchPermissionSet.tfResourceType, "ami_launch_permission_set");
    });

    it("write every argument of a data source", () => {
      assert.deepEqual(argumentsIn(DATA_SOURCE_SCHEMA.attributes), ["image_id", "region"]);
      const { data } = synthesized(
        (stack) => new DataAmiLaunchPermissions(stack, "now", { imageId: IMAGE, region: "eu-west-1" }),
      );
      assert.deepEqual(data?.ami_launch_permissions.now, { image_id: IMAGE, region: "eu-west-1" });
      assert.equal(DataAmiLaunchPermissions.tfResourceType, "ami_launch_permissions");
    });

    it("write every argument of the data source that finds AMIs, which has no required argument", () => {
      assert.deepEqual(argumentsIn(AUDIT_SCHEMA.attributes), ["owner", "include_snapshots", "region"]);
      const { data } = synthesized((stack) => {
        new DataAmiLaunchPermissionAudit(stack, "all", { owner: "others", includeSnapshots: false, region: "eu-west-1" });
        new DataAmiLaunchPermissionAudit(stack, "own");
      });
      const all = { owner: "others", include_snapshots: false, region: "eu-west-1" };
      assert.deepEqual(data?.ami_launch_permission_audit, { all, own: {} });
      assert.equal(DataAmiLaunchPermissionAudit.tfResourceType, "ami_launch_permission_audit");
    });

    it("write every argument of the provider, its source and its version", () => {
      const given = {
        region: "eu-west-1",
        profile: "production",
        endpoint: "http://127.0.0.1:5000",
        assumeRole: { roleArn: "arn:aws:iam::111122223333:role/sharing", externalId: "0042", sessionName: "golden" },
        maxRetries: 3,
        allowedGrantees: [FIRST, "public"],
        accountNames: { [FIRST]: "acme-prod" },
        names: "names.yaml",
      };
      const stack = stackWith((stack) => new AmiProvider(stack, "ami", { ...given, alias: "production" }));
      const { provider, terraform } = JSON.parse(library.Testing.synth(stack));
      const { roleArn: role_arn, externalId: external_id, sessionName: session_name } = given.assumeRole;
      const { maxRetries: max_retries, region, profile, endpoint, names } = given;
      const { allowedGrantees: allowed_grantees, accountNames: account_names } = given;
      const assume_role = { role_arn, external_id, session_name };
      const written = { region, profile, endpoint, assume_role, max_retries, allowed_grantees, account_names, names };
      assert.deepEqual(provider.ami, [{ ...written, alias: "production" }]);
      assert.deepEqual(Object.keys(written), argumentsIn(PROVIDER_SCHEMA.attributes));
      const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, "../../provider/package.json"), "utf8"));
      assert.deepEqual(terraform.required_providers, {
        ami: { source: PROVIDER_ADDRESS, version: `~> ${version}` },
      });
      assert.equal(bindings.PROVIDER_SOURCE, PROVIDER_ADDRESS);
    });

    it("omit arguments that are not set, and keep empty values, which have a different meaning", () => {
      const { resource } = synthesized((stack) => {
        new AmiLaunchPermissionSet(stack, "bare", { imageId: IMAGE, accountIds: undefined, createVolumePermissions: undefined });
        new AmiLaunchPermissionSet(stack, "empty", { imageId: IMAGE, accountIds: [], createVolumePermissions: {} });
        const nobody = { accountIds: [], snapshotIds: undefined };
        new AmiLaunchPermissionSet(stack, "nobody", { imageId: IMAGE, createVolumePermissions: nobody });
        // As in a program that computes the list: undefined is the same as omitted.
        new AmiLaunchPermissionSet(stack, "undefined", { imageId: IMAGE, createVolumePermissions: { accountIds: undefined } });
      });
      assert.deepEqual(resource?.ami_launch_permission_set, {
        bare: { image_id: IMAGE },
        empty: { image_id: IMAGE, account_ids: [], create_volume_permissions: {} },
        nobody: { image_id: IMAGE, create_volume_permissions: { account_ids: [] } },
        undefined: { image_id: IMAGE, create_volume_permissions: {} },
      });
    });

    it("pass on variables, expressions and references of every type", () => {
      const set = setIn((stack) => {
        const variable = (id: string) => new library.TerraformVariable(stack, id, {});
        const now = new DataAmiLaunchPermissions(stack, "now", { imageId: variable("image").stringValue });
        new AmiLaunchPermissionSet(stack, "golden", {
          imageId: now.imageId,
          accountIds: now.accountIds,
          organizationArns: variable("organizations").listValue,
          organizationalUnitArns: [`${variable("unit").stringValue}/ou-1`],
          public: now.public,
          acknowledgePublic: variable("acknowledge").booleanValue,
          createVolumePermissions: {
            accountIds: [now.ownerId],
            snapshotIds: now.snapshotIds,
            public: now.snapshots.get(0).public,
          },
          maxRevocations: variable("revocations").numberValue,
          neverRevoke: library.Fn.concat([variable("partners").listValue, [FIRST]]),
          mode: library.Token.asString(library.Fn.conditional(now.public, "additive", "authoritative")),
        });
      });
      const now = "data.ami_launch_permissions.now";
      assert.deepEqual(set, {
        image_id: tf(`${now}.image_id`),
        account_ids: tf(`tolist(${now}.account_ids)`),
        organization_arns: tf("var.organizations"),
        organizational_unit_arns: [`${tf("var.unit")}/ou-1`],
        public: tf(`${now}.public`),
        acknowledge_public: tf("var.acknowledge"),
        create_volume_permissions: {
          account_ids: [tf(`${now}.owner_id`)],
          snapshot_ids: tf(`tolist(${now}.snapshot_ids)`),
          public: tf(`${now}.snapshots[0].public`),
        },
        max_revocations: tf("var.revocations"),
        never_revoke: tf(`concat(var.partners, ["${FIRST}"])`),
        mode: tf(`${now}.public ? "additive" : "authoritative"`),
      });
    });

    it("accept an expression or another set's attribute as create-volume permissions", () => {
      const { resource } = synthesized((stack) => {
        const wanted = new library.TerraformVariable(stack, "wanted", { type: "bool" });
        const createVolumePermissions = library.Fn.conditional(wanted.booleanValue, {}, null);
        const golden = new AmiLaunchPermissionSet(stack, "golden", { imageId: IMAGE, createVolumePermissions });
        const alike = golden.createVolumePermissions;
        new AmiLaunchPermissionSet(stack, "alike", { imageId: IMAGE, createVolumePermissions: alike });
      });
      assert.deepEqual(resource?.ami_launch_permission_set, {
        golden: { image_id: IMAGE, create_volume_permissions: tf("var.wanted ? {} : null") },
        alike: { image_id: IMAGE, create_volume_permissions: tf("ami_launch_permission_set.golden.create_volume_permissions") },
      });
    });

    it("refer to every attribute of a set", () => {
      const { output } = synthesized((stack) => {
        const golden = new AmiLaunchPermissionSet(stack, "golden", { imageId: IMAGE });
        const { createVolumePermissions: volumes } = golden;
        const references = attributesOf(golden, RESOURCE_SCHEMA.attributes);
        const ofVolumes = attributesOf(volumes, nestedIn(RESOURCE_SCHEMA, "create_volume_permissions"));
        const byKey = [golden.grants.lookup(`account/${FIRST}`), library.Fn.element(golden.snapshotIds, 0)];
        new library.TerraformOutput(stack, "all", { value: { references, ofVolumes, byKey } });
      });
      const golden = "ami_launch_permission_set.golden";
      assert.deepEqual(output?.all.value, {
        references: expressionsOf(golden, RESOURCE_SCHEMA.attributes),
        ofVolumes: expressionsOf(`${golden}.create_volume_permissions`, nestedIn(RESOURCE_SCHEMA, "create_volume_permissions")),
        byKey: [tf(`${golden}.grants["account/${FIRST}"]`), tf(`element(tolist(${golden}.snapshot_ids), 0)`)],
      });
    });

    it("refer to every attribute of a data source and of its snapshots", () => {
      const ofSnapshot = nestedIn(DATA_SOURCE_SCHEMA, "snapshots");
      const { output } = synthesized((stack) => {
        const now = new DataAmiLaunchPermissions(stack, "now", { imageId: IMAGE });
        const references = attributesOf(now, DATA_SOURCE_SCHEMA.attributes);
        const second = attributesOf(now.snapshots.get(1), ofSnapshot);
        new library.TerraformOutput(stack, "all", { value: { references, second } });
      });
      const now = "data.ami_launch_permissions.now";
      assert.deepEqual(output?.all.value, {
        references: expressionsOf(now, DATA_SOURCE_SCHEMA.attributes),
        second: expressionsOf(`${now}.snapshots[1]`, ofSnapshot),
      });
    });

    it("refer to every attribute of the data source that finds AMIs, of its AMIs and of their snapshots", () => {
      const ofAmi = nestedIn(AUDIT_SCHEMA, "amis");
      const ofSnapshot = ofAmi.snapshots?.nested?.attributes ?? {};
      const { output } = synthesized((stack) => {
        const all = new DataAmiLaunchPermissionAudit(stack, "audit");
        const second = all.amis.get(1);
        const value = {
          references: attributesOf(all, AUDIT_SCHEMA.attributes),
          second: attributesOf(second, ofAmi),
          snapshot: attributesOf(second.snapshots.get(2), ofSnapshot),
        };
        new library.TerraformOutput(stack, "all", { value });
      });
      const all = "data.ami_launch_permission_audit.audit";
      assert.deepEqual(output?.all.value, {
        references: expressionsOf(all, AUDIT_SCHEMA.attributes),
        second: expressionsOf(`${all}.amis[1]`, ofAmi),
        snapshot: expressionsOf(`${all}.amis[1].snapshots[2]`, ofSnapshot),
      });
    });

    it("create a set for each element of a list, of a map and of an AMI's snapshots", () => {
      const { resource } = synthesized((stack) => {
        const { TerraformIterator } = library;
        const ids = TerraformIterator.fromList([IMAGE]);
        new AmiLaunchPermissionSet(stack, "list", { forEach: ids, imageId: ids.value, accountIds: [FIRST] });
        const images = TerraformIterator.fromMap({ "eu-west-1": { image: IMAGE, accounts: [FIRST] } });
        const { key: region } = images;
        const [imageId, accountIds] = [images.getString("image"), images.getList("accounts")];
        new AmiLaunchPermissionSet(stack, "map", { forEach: images, imageId, accountIds, region });
        const now = new DataAmiLaunchPermissions(stack, "now", { imageId: IMAGE });
        const snapshots = TerraformIterator.fromComplexList(now.snapshots, "snapshot_id");
        const createVolumePermissions = { snapshotIds: [snapshots.getString("snapshot_id")] };
        new AmiLaunchPermissionSet(stack, "snapshots", { forEach: snapshots, imageId: IMAGE, createVolumePermissions });
      });
      assert.deepEqual(resource?.ami_launch_permission_set, {
        list: { for_each: tf(`toset(["${IMAGE}"])`), image_id: tf("each.value"), account_ids: [FIRST] },
        map: {
          for_each: { "eu-west-1": { image: IMAGE, accounts: [FIRST] } },
          image_id: tf("each.value.image"),
          account_ids: tf("each.value.accounts"),
          region: tf("each.key"),
        },
        snapshots: {
          for_each: tf("{ for key, val in data.ami_launch_permissions.now.snapshots: val.snapshot_id => val }"),
          image_id: IMAGE,
          create_volume_permissions: { snapshot_ids: [tf("each.value.snapshot_id")] },
        },
      });
    });

    it("accept depends_on, a provider alias, lifecycle and count", () => {
      const { provider, resource, data } = synthesized((stack) => {
        const europe = new AmiProvider(stack, "europe", { alias: "europe", region: "eu-west-1" });
        const lifecycle = { createBeforeDestroy: true, ignoreChanges: ["account_ids"] };
        const golden = new AmiLaunchPermissionSet(stack, "golden", { imageId: IMAGE, provider: europe, count: 2, lifecycle });
        new DataAmiLaunchPermissions(stack, "now", { imageId: IMAGE, provider: europe, dependsOn: [golden] });
      });
      assert.deepEqual(provider?.ami, [{}, { alias: "europe", region: "eu-west-1" }]);
      assert.deepEqual(resource?.ami_launch_permission_set.golden, {
        image_id: IMAGE,
        provider: "ami.europe",
        count: 2,
        lifecycle: { create_before_destroy: true, ignore_changes: ["account_ids"] },
      });
      assert.deepEqual(data?.ami_launch_permissions.now, {
        image_id: IMAGE,
        provider: "ami.europe",
        depends_on: ["ami_launch_permission_set.golden"],
      });
    });

    it("report that a program has no provider", () => {
      const stack = stackWith((stack) => new AmiLaunchPermissionSet(stack, "golden", { imageId: IMAGE }));
      assert.throws(() => library.Testing.synth(stack, true), /without a matching provider construct.*: ami$/ms);
    });

    it("let a program assign, override, read and reset arguments", () => {
      const set = setIn((stack) => {
        const golden = new AmiLaunchPermissionSet(stack, "golden", { ...everything, createVolumePermissions: undefined });
        golden.accountIds = [SECOND];
        golden.public = false;
        golden.resetNeverRevoke();
        assert.equal(golden.createVolumePermissionsInput, undefined);
        golden.putCreateVolumePermissions({ snapshotIds: [SNAPSHOT], public: true });
        golden.createVolumePermissions.accountIds = [FIRST];
        golden.createVolumePermissions.resetPublic();
        golden.addOverride("on_delete", "reset");
        assert.deepEqual(golden.accountIdsInput, [SECOND]);
        assert.equal(golden.neverRevokeInput, undefined);
        assert.deepEqual(golden.createVolumePermissions.snapshotIdsInput, [SNAPSHOT]);
      });
      const { never_revoke, ...rest } = everythingInTerraform;
      const create_volume_permissions = { snapshot_ids: [SNAPSHOT], account_ids: [FIRST] };
      assert.deepEqual(set, { ...rest, account_ids: [SECOND], public: false, create_volume_permissions, on_delete: "reset" });

      const bare = setIn((stack) => {
        const golden = new AmiLaunchPermissionSet(stack, "golden", { imageId: IMAGE, createVolumePermissions: {} });
        golden.resetCreateVolumePermissions();
      });
      assert.deepEqual(bare, { image_id: IMAGE });

      const stack = stackWith((stack) => {
        const provider = new AmiProvider(stack, "ami", { region: "eu-west-1", maxRetries: 3, alias: "one" });
        assert.deepEqual([provider.region, provider.alias, provider.fqn], ["eu-west-1", "one", "ami.one"]);
        provider.profile = "production";
        provider.alias = "two";
        provider.resetRegion();
      });
      const { provider } = JSON.parse(library.Testing.synth(stack));
      assert.deepEqual(provider.ami, [{ profile: "production", max_retries: 3, alias: "two" }]);
    });

    it("import a set", () => {
      const stack = stackWith((stack) => {
        const europe = new AmiProvider(stack, "europe", { alias: "europe" });
        AmiLaunchPermissionSet.generateConfigForImport(stack, "golden", IMAGE);
        AmiLaunchPermissionSet.generateConfigForImport(stack, "there", `eu-west-1/${IMAGE}`, europe);
        new AmiLaunchPermissionSet(stack, "declared", { imageId: IMAGE }).importFrom(IMAGE);
      });
      const { import: imports } = JSON.parse(library.Testing.synth(stack)) as Synthesized;
      assert.deepEqual(imports, [
        { to: "ami_launch_permission_set.golden", id: IMAGE },
        { to: "ami_launch_permission_set.there", id: `eu-west-1/${IMAGE}`, provider: "ami.europe" },
        { to: "ami_launch_permission_set.declared", id: IMAGE },
      ]);
    });

    it("write HCL with nested objects as arguments", () => {
      const stack = stackWith((stack) => {
        new AmiProvider(stack, "ami", { assumeRole: { roleArn: "arn:aws:iam::111122223333:role/sharing" } });
        new AmiLaunchPermissionSet(stack, "golden", everything);
        new AmiLaunchPermissionSet(stack, "empty", { imageId: IMAGE, accountIds: [], createVolumePermissions: {} });
      });
      const hcl: string = library.Testing.synthHcl(stack).replace(/\s+/g, " ");
      for (const written of [
        'provider "ami" { assume_role = { role_arn = "arn:aws:iam::111122223333:role/sharing" } }',
        `resource "ami_launch_permission_set" "golden" { image_id = "${IMAGE}" account_ids = [ "${FIRST}", "${SECOND}" ]`,
        `organizational_unit_arns = [ "${UNIT}" ] public = true acknowledge_public = true create_volume_permissions = {`,
        `snapshot_ids = [ "${SNAPSHOT}", ] public = false } max_revocations = 0 unrecorded = "refuse" never_revoke = [ "${SECOND}" ]`,
        `allowed_grantees = [ "${FIRST}", "${SECOND}", "${ORGANIZATION}", "file://units.yaml" ] kms_access = "grant"`,
        'check_usage = false mode = "additive" on_delete = "retain" region = "eu-west-1" timeouts = {',
        `resource "ami_launch_permission_set" "empty" { image_id = "${IMAGE}" account_ids = [ ] create_volume_permissions = { } }`,
      ])
        assert.ok(hcl.includes(written), `${written}\nis not in\n${hcl}`);
    });
  });

describe("the doc comments of the constructs", () => {
  const words = Object.assign(
    {},
    ...["amiProvider", "amiLaunchPermissionSet", "dataAmiLaunchPermissions", "dataAmiLaunchPermissionAudit"].map(wordsIn),
  );
  const cases: readonly [name: string, where: readonly string[], attributes: Attributes][] = [
    ["the provider", ["amiProvider.PlainArguments", "amiProvider.Arguments"], PROVIDER_SCHEMA.attributes],
    ["its role", ["amiProvider.AmiProviderAssumeRole"], nestedIn(PROVIDER_SCHEMA, "assume_role")],
    [
      "a set",
      ["amiLaunchPermissionSet.PlainArguments", "amiLaunchPermissionSet.Arguments", "amiLaunchPermissionSet.Computed"],
      RESOURCE_SCHEMA.attributes,
    ],
    [
      "create-volume permissions",
      ["amiLaunchPermissionSet.AmiLaunchPermissionSetCreateVolumePermissions"],
      nestedIn(RESOURCE_SCHEMA, "create_volume_permissions"),
    ],
    [
      "a data source",
      [
        "dataAmiLaunchPermissions.Arguments",
        "dataAmiLaunchPermissions.Computed",
        "dataAmiLaunchPermissions.Permissions",
        "dataAmiLaunchPermissions.DataAmiLaunchPermissions",
      ],
      DATA_SOURCE_SCHEMA.attributes,
    ],
    ["a snapshot", ["dataAmiLaunchPermissions.PermissionsOfSnapshot"], nestedIn(DATA_SOURCE_SCHEMA, "snapshots")],
    [
      "the data source that finds AMIs",
      [
        "dataAmiLaunchPermissionAudit.Arguments",
        "dataAmiLaunchPermissionAudit.Computed",
        "dataAmiLaunchPermissionAudit.DataAmiLaunchPermissionAudit",
      ],
      AUDIT_SCHEMA.attributes,
    ],
    [
      "one of its AMIs",
      [
        "dataAmiLaunchPermissions.Permissions",
        "dataAmiLaunchPermissionAudit.ComputedOfAmi",
        "dataAmiLaunchPermissionAudit.DataAmiLaunchPermissionAuditAmisOutputReference",
      ],
      nestedIn(AUDIT_SCHEMA, "amis"),
    ],
  ];
  for (const [name, where, attributes] of cases)
    it(`describe ${name} as the schema does, with the names that programs use`, () => {
      const said = Object.assign({}, ...where.map((place) => words[place]));
      for (const [attribute, { description }] of Object.entries(attributes))
        assert.equal(said[camelCase(attribute)], description.replace(/`[a-z_ =]+`/g, inPrograms), attribute);
    });
});

/** An expression as Terraform's JSON writes it. */
function tf(expression: string): string {
  return `\${${expression}}`;
}

/** The names of the attributes that a configuration can set. */
function argumentsIn(attributes: Attributes): string[] {
  return Object.keys(attributes).filter((name) => attributes[name]?.role !== "computed");
}

function nestedIn(schema: Schema, name: string): Attributes {
  return schema.attributes[name]?.nested?.attributes ?? assert.fail(`the schema has no ${name}`);
}

/** The properties of a construct for its attributes. */
function attributesOf(construct: object, attributes: Attributes): Record<string, unknown> {
  const values = construct as Record<string, unknown>;
  return Object.fromEntries(Object.keys(attributes).map((name) => [name, values[camelCase(name)]]));
}

/** The Terraform expressions for them: sets become lists, so that programs can select elements. */
function expressionsOf(address: string, attributes: Attributes): Record<string, string> {
  const isSet = ({ type }: Attribute) => Array.isArray(type) && type[0] === "set";
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => {
      const reference = `${address}.${name}`;
      return [name, tf(isSet(attribute) ? `tolist(${reference})` : reference)];
    }),
  );
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Code in a description, as a program writes it. */
function inPrograms(code: string): string {
  return camelCase(code).replace(" = ", ": ");
}

/** The doc comments of the interfaces and classes in a file: file.interface → member → text. */
function wordsIn(name: string): Record<string, Record<string, string>> {
  const file = path.join(__dirname, `../../provider/cdk/${name}.ts`);
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const declarations = source.statements.filter((node) => ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node));
  return Object.fromEntries(
    declarations.map(({ name: declared, members }) => [
      `${name}.${declared?.text}`,
      Object.fromEntries(
        [...members].map((member) => [
          member.name?.getText(),
          (ts.getJSDocCommentsAndTags(member) as ts.JSDoc[])
            .map(({ comment }) => ts.getTextOfJSDocComment(comment)?.replace(/\s+/g, " "))
            .join(""),
        ]),
      ),
    ]),
  );
}
