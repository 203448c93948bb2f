/** The common base of the constructs: they store their arguments, return references, and write Terraform. Each construct has a table of its attributes. */

import * as cdktn from "cdktn";

/** A Terraform type. `set` and `map` contain strings. A table is a nested object. */
type Kind = "string" | "number" | "bool" | "set" | "map" | Table;
type Table = { readonly [name: string]: Kind };

type KindOf<T> = [T] extends [string]
  ? "string"
  : [T] extends [number]
    ? "number"
    : [T] extends [string[]]
      ? "set"
      : [T] extends [cdktn.StringMap]
        ? "map"
        : [T] extends [boolean | cdktn.IResolvable]
          ? "bool"
          : string extends keyof T
            ? "map"
            : TableOf<T>;
/** The table of an interface: all its members with their kinds. */
export type TableOf<Shape> = { readonly [Name in keyof Shape]-?: KindOf<NonNullable<Shape[Name]>> };

/** The names of the arguments that can be left out. */
type Optional<Args> = { [Name in keyof Args]-?: undefined extends Args[Name] ? Name : never }[keyof Args];

/** For each argument its value as it was set (`…Input`), and for each optional one a method that removes it (`reset…`). */
type Given<Args> = {
  readonly [Name in keyof Args & string as `${Name}Input`]: Args[Name] | undefined;
} & {
  readonly [Name in Optional<Args> & string as `reset${Capitalize<Name>}`]: () => void;
};
/** The argument properties of a construct: reading returns a reference to the value in Terraform, assigning sets the argument. */
export type References<Args> = { -readonly [Name in keyof Args]-?: Exclude<Args[Name], undefined> } & Given<Args>;
/** The argument properties of a provider: reading returns the argument, because Terraform has no references to a provider. */
export type Values<Args> = { -readonly [Name in keyof Required<Args>]: Args[Name] | undefined } & Given<Args>;

// biome-ignore lint/suspicious/noExplicitAny: TypeScript requires it for a class that extends any other class.
type Constructor = abstract new (...args: any[]) => object;
type Extended<Base extends Constructor, Members> = Omit<Base, "prototype"> &
  (new (
    ...args: ConstructorParameters<Base>
  ) => InstanceType<Base> & Members);
type Attributes = Readonly<Record<string, unknown>>;

/** The arguments of each construct, and of each reference to a nested object. */
const kept = new WeakMap<object, unknown>();

/** Stores the arguments of a construct, or of a reference to a nested object. */
export function keep(holder: object, args: unknown): void {
  kept.set(holder, args);
}

/** The current arguments: an object. For a nested object, they can also be a token or undefined. */
export function keptBy(holder: object): unknown {
  return kept.get(holder);
}

/** The argument as it was set. */
export function given(holder: object, name: string): unknown {
  const args = keptBy(holder);
  return isPlain(args) ? args[name] : undefined;
}

/**
 * Returns a base class with the properties of two tables. The constructor of the derived class must call {@link keep}.
 * Members must be an interface: the declaration files then contain its name, and editors show the comments of the interfaces it extends.
 *
 * @param read returns the value of a property when it is read
 */
export function withAttributes<Base extends Constructor, Members>(
  base: Base,
  args: Table,
  computed: Table = {},
  read: (holder: object, name: string, kind: Kind) => unknown = reference,
): Extended<Base, Members> {
  // Read through the `…Input` properties, because the arguments of a nested object are stored with its reference.
  const inputsOf = (holder: object) =>
    Object.fromEntries(Object.keys(args).map((name) => [name, (holder as Attributes)[`${name}Input`]]));
  abstract class WithAttributes extends base {
    protected synthesizeAttributes(): Attributes {
      return written(args, inputsOf(this));
    }

    protected synthesizeHclAttributes(): Attributes {
      return writtenAsHcl(args, inputsOf(this));
    }
  }
  const define = (name: string, property: PropertyDescriptor) =>
    Object.defineProperty(WithAttributes.prototype, name, { configurable: true, ...property });
  for (const [name, kind] of Object.entries(computed))
    define(name, {
      get() {
        return reference(this, name, kind);
      },
    });
  for (const [name, kind] of Object.entries(args)) {
    const assign = (holder: object, value: unknown) => {
      const args = keptBy(holder);
      keep(holder, { ...(isPlain(args) ? args : {}), [name]: value });
    };
    define(name, {
      get() {
        return read(this, name, kind);
      },
      set(value: unknown) {
        assign(this, value);
      },
    });
    define(`${name}Input`, {
      get() {
        return given(this, name);
      },
    });
    define(`reset${name.charAt(0).toUpperCase()}${name.slice(1)}`, {
      value(this: object) {
        assign(this, undefined);
      },
    });
  }
  return WithAttributes as unknown as Extended<Base, Members>;
}

/** A reference to an attribute in Terraform. */
function reference(holder: object, name: string, kind: Kind): unknown {
  const construct = holder as cdktn.TerraformResource;
  const attribute = snakeCase(name);
  switch (kind) {
    case "string":
      return construct.getStringAttribute(attribute);
    case "number":
      return construct.getNumberAttribute(attribute);
    case "set":
      // Converted to a list, so that programs can use its elements.
      return cdktn.Fn.tolist(construct.getListAttribute(attribute));
    case "map":
      return new cdktn.StringMap(construct, attribute);
    default:
      return construct.interpolationForAttribute(attribute);
  }
}

/** The arguments with their names in Terraform. Empty objects and lists are kept, because they do not mean the same as no value. */
function written(table: Table, args: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(table).map(([name, kind]) => {
      const value = args[name];
      return [snakeCase(name), typeof kind === "object" && isPlain(value) ? written(kind, value) : value];
    }),
  );
}

/** The types for the HCL output of the libraries. `any` writes an object as an argument. Generated bindings would write a block. */
const HCL_TYPES = {
  string: { type: "simple", storageClassType: "string" },
  number: { type: "simple", storageClassType: "number" },
  bool: { type: "simple", storageClassType: "boolean" },
  set: { type: "set", storageClassType: "stringList" },
  map: { type: "map", storageClassType: "stringMap" },
  nested: { type: "any", storageClassType: "any" },
} as const;

function writtenAsHcl(table: Table, args: Attributes): Attributes {
  const values = written(table, args);
  const attributes = Object.entries(table).map(([name, kind]) => {
    const type = HCL_TYPES[typeof kind === "object" ? "nested" : kind];
    return [snakeCase(name), { value: values[snakeCase(name)], isBlock: false, ...type }] as const;
  });
  return Object.fromEntries(attributes.filter(([, { value }]) => value !== undefined));
}

/** Whether a value is an object with known members, and not a token. */
function isPlain(value: unknown): value is Attributes {
  return typeof value === "object" && value !== null && !cdktn.Token.isUnresolved(value);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
