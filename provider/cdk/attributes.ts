/** How constructs keep their arguments, refer to their attributes and write them for Terraform; which ones there are, each construct tells. */

import * as cdktn from "cdktn";

/** A type of Terraform's: `set` and `map` are of strings, a table is a nested object. */
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
          : TableOf<T>;
/** The table for an interface: all of its members, and their kinds. */
export type TableOf<Shape> = { readonly [Name in keyof Shape]-?: KindOf<NonNullable<Shape[Name]>> };

/** The names of the arguments that can be left out. */
type Optional<Args> = { [Name in keyof Args]-?: undefined extends Args[Name] ? Name : never }[keyof Args];

/** Arguments as they were given, and the way to take back one that can be left out. */
type Given<Args> = {
  readonly [Name in keyof Args & string as `${Name}Input`]: Args[Name] | undefined;
} & {
  readonly [Name in Optional<Args> & string as `reset${Capitalize<Name>}`]: () => void;
};
/** What a construct has for its arguments: read, a reference to what Terraform knows; assigned, another argument. */
export type References<Args> = { -readonly [Name in keyof Args]-?: Exclude<Args[Name], undefined> } & Given<Args>;
/** What a provider has for its arguments, to which nothing can refer. */
export type Values<Args> = { -readonly [Name in keyof Required<Args>]: Args[Name] | undefined } & Given<Args>;

// biome-ignore lint/suspicious/noExplicitAny: TypeScript asks it of a class that extends any other.
type Constructor = abstract new (...args: any[]) => object;
type Extended<Base extends Constructor, Members> = Omit<Base, "prototype"> &
  (new (
    ...args: ConstructorParameters<Base>
  ) => InstanceType<Base> & Members);
type Attributes = Readonly<Record<string, unknown>>;

/** The arguments of constructs, and of references to nested objects. */
const kept = new WeakMap<object, unknown>();

/** Has a construct, or a reference to a nested object, keep its arguments. */
export function keep(holder: object, args: unknown): void {
  kept.set(holder, args);
}

/** The arguments as they are now: an object, or for a nested object also a token or nothing. */
export function keptBy(holder: object): unknown {
  return kept.get(holder);
}

/** The argument as it was given. */
export function given(holder: object, name: string): unknown {
  const args = keptBy(holder);
  return isPlain(args) ? args[name] : undefined;
}

/**
 * A class that keeps, refers to and writes what two tables tell, for a class to extend whose constructor calls {@link keep}.
 * Members is to be an interface: declarations then name it, and editors show the words of what it extends.
 *
 * @param read what reading an argument gives
 */
export function withAttributes<Base extends Constructor, Members>(
  base: Base,
  args: Table,
  computed: Table = {},
  read: (holder: object, name: string, kind: Kind) => unknown = reference,
): Extended<Base, Members> {
  // By way of the accessors: the arguments of a nested object are kept by its reference.
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

/** What Terraform knows of an attribute. */
function reference(holder: object, name: string, kind: Kind): unknown {
  const construct = holder as cdktn.TerraformResource;
  const attribute = snakeCase(name);
  switch (kind) {
    case "string":
      return construct.getStringAttribute(attribute);
    case "number":
      return construct.getNumberAttribute(attribute);
    case "set":
      // As a list, of which programs can take elements.
      return cdktn.Fn.tolist(construct.getListAttribute(attribute));
    case "map":
      return new cdktn.StringMap(construct, attribute);
    default:
      return construct.interpolationForAttribute(attribute);
  }
}

/** Arguments by their names in Terraform. An empty object and an empty list say something else than nothing: they stay. */
function written(table: Table, args: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(table).map(([name, kind]) => {
      const value = args[name];
      return [snakeCase(name), typeof kind === "object" && isPlain(value) ? written(kind, value) : value];
    }),
  );
}

/** What the libraries' writer of HCL wants to know of a type. `any` writes an object as an argument; generated bindings write a block. */
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

/** Whether a value is an object whose members are known now, and no token. */
function isPlain(value: unknown): value is Attributes {
  return typeof value === "object" && value !== null && !cdktn.Token.isUnresolved(value);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
