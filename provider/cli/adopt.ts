/** The command `adopt`: reads with whom an AMI is shared, and writes the program that declares it. */

import { decodeDeclaredSet, describePermissions, ec2Gateway, problemText } from "../core";
import type { ConnectionOptions } from "./connectionOptions";
import { Failure } from "./failure";
import { programText } from "./programText";

export async function adopt(imageId: string, connection: ConnectionOptions): Promise<string> {
  const decoded = decodeDeclaredSet({ imageId, ...connection });
  if ("problems" in decoded) throw new Failure(decoded.problems.map(problemText).join("\n"));
  return programText(await describePermissions(ec2Gateway(connection), imageId), connection);
}
