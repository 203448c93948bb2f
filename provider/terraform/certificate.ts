/** The certificate that a plugin presents for one run: self-signed, its key held in memory only. */

import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** A certificate and its private key. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  /** The certificate as the handshake line carries it: DER, base64 without padding. */
  readonly handshake: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR = 3_600_000;

/** Makes a certificate for `localhost`, the name that go-plugin's client expects. */
export async function selfSigned(): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const { KeyUsageFlags: usage, ExtendedKeyUsage: purpose } = x509;
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=localhost",
      keys,
      signingAlgorithm: ALGORITHM,
      // A clock may lie behind the one that Terraform reads by a little, and a run may be long.
      notBefore: new Date(Date.now() - HOUR),
      notAfter: new Date(Date.now() + 24 * 365 * HOUR),
      extensions: [
        // go-plugin's client takes the certificate itself as its only authority.
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(
          usage.digitalSignature | usage.keyEncipherment | usage.keyAgreement | usage.keyCertSign,
          true,
        ),
        new x509.ExtendedKeyUsageExtension([purpose.serverAuth, purpose.clientAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
      ],
    },
    crypto,
  );
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    certificate: made.toString("pem"),
    key: x509.PemConverter.encode(key, "PRIVATE KEY"),
    handshake: Buffer.from(made.rawData).toString("base64").replace(/=+$/, ""),
  };
}
