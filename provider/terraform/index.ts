/** The exports of the Terraform provider for programs: its path, its installation and its schemas. */

export {
  installProvider,
  mirrorFolders,
  PROVIDER_FILE,
  PROVIDER_VERSION,
  type ProviderFile,
  providerFiles,
} from "./install";
export {
  type Attribute,
  type AttributePrimitive,
  type AttributeRole,
  type Attributes,
  type AttributeType,
  AUDIT,
  AUDIT_SCHEMA,
  DATA_SOURCE,
  DATA_SOURCE_SCHEMA,
  IDENTITY_SCHEMA,
  LIST_SCHEMA,
  PROVIDER_ADDRESS,
  PROVIDER_SCHEMA,
  RESOURCE,
  RESOURCE_SCHEMA,
  type Schema,
} from "./schema";
