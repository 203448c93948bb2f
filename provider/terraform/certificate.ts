/** The certificate that a plugin presents for one run: self-signed, its key held in memory only. */

import { generateKeyPairSync, randomBytes, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";

/** A certificate and its private key. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  /** The certificate as the handshake line carries it: DER, base64 without padding. */
  readonly handshake: string;
}

/** RFC 5758, section 3.2. */
const ECDSA_WITH_SHA256 = new x509.AlgorithmIdentifier({ algorithm: "1.2.840.10045.4.3.2" });
/** The name that go-plugin's client expects. */
const HOST = "localhost";
const HOUR = 3_600_000;

/** Makes a certificate. */
export function selfSigned(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = new x509.Name([
    new x509.RelativeDistinguishedName([
      new x509.AttributeTypeAndValue({ type: "2.5.4.3", value: new x509.AttributeValue({ utf8String: HOST }) }),
    ]),
  ]);
  const usage = x509.KeyUsageFlags;
  const toBeSigned = new x509.TBSCertificate({
    version: x509.Version.v3,
    // A positive number: its first byte is below 0x80, and not 0.
    serialNumber: exactly(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    signature: ECDSA_WITH_SHA256,
    issuer: name,
    subject: name,
    // A clock may lie behind the one that Terraform reads by a little, and a run may be long.
    validity: new x509.Validity({ notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * 365 * HOUR) }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      // go-plugin's client takes the certificate itself as its only authority.
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true }), true),
      extension(
        x509.id_ce_keyUsage,
        new x509.KeyUsage(usage.digitalSignature | usage.keyEncipherment | usage.keyAgreement | usage.keyCertSign),
        true,
      ),
      extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth, x509.id_kp_clientAuth])),
      extension(x509.id_ce_subjectAltName, new x509.SubjectAlternativeName([new x509.GeneralName({ dNSName: HOST })])),
    ]),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(toBeSigned)), privateKey);
  const made = new x509.Certificate({
    tbsCertificate: toBeSigned,
    signatureAlgorithm: ECDSA_WITH_SHA256,
    signatureValue: exactly(signature),
  });
  const der = Buffer.from(AsnConvert.serialize(made));
  return {
    certificate: new X509Certificate(der).toString(),
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    handshake: der.toString("base64").replace(/=+$/, ""),
  };
}

function extension(id: string, value: object, critical = false): x509.Extension {
  return new x509.Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** The bytes alone; a small Buffer is a view of a larger one. */
function exactly(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
