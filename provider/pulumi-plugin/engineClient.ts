/** The engine that started the plugin: lines on its display, beside the resource that they are of. */

import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import type { Severity } from "../pulumi/previewReport";

/** Shows a text, beside the resource of that URN. */
export type Show = (severity: Severity, text: string, urn: string) => Promise<void>;

const SEVERITIES = { info: LogSeverity.INFO, warn: LogSeverity.WARNING, error: LogSeverity.ERROR } as const;

/** A line to an engine that may change: one that attaches for debugging tells its own address. */
export class EngineDisplay {
  private client: EngineClient | undefined;

  connect(address: string): void {
    this.client?.close();
    this.client = new EngineClient(address, credentials.createInsecure());
  }

  /** Nobody may fail for it: where the engine cannot be told, nothing is shown. */
  readonly show: Show = (severity, text, urn) =>
    new Promise((resolve) => {
      if (!this.client) return resolve();
      const request = new LogRequest();
      request.setSeverity(SEVERITIES[severity]);
      request.setMessage(text);
      request.setUrn(urn);
      this.client.log(request, () => resolve());
    });

  close(): void {
    this.client?.close();
  }
}
