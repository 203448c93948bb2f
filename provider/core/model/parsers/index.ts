/** The parsers of YAML and CSV. Load this file with `require()` when there is such a file to read: in the package, it is a bundle of its own. */

export { parse as parseCsv } from "csv-parse/sync";
export { isMap, isNode, isSeq, LineCounter, parseDocument } from "yaml";
