/** The error of a command that cannot do its work: its message is all that a user sees. */

/** Ends the command with exit code 2. */
export class Failure extends Error {
  override readonly name = "Failure";
}
