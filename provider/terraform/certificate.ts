/** The self-signed certificate of the plugin for one run. Its key is kept in memory only. */

import { generateKeyPairSync, randomBytes, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";

/** A certificate and its private key. */
export interface Certificate {
  /** PEM. */
  readonly certificate: string;
  /** PKCS #8, PEM. */
  readonly key: string;
  /** The certificate in the form of the handshake line: DER, base64 without padding. */
  readonly handshake: string;
}

/** RFC 5758, section 3.2. */
const ECDSA_WITH_SHA256 = new x509.AlgorithmIdentifier({ algorithm: "1.2.840.10045.4.3.2" });
/** The host name that go-plugin's client expects. */
const HOST = "localhost";
const HOUR = 3_600_000;

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
    // The serial number must be positive: the first byte is 1.
    serialNumber: exactly(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    signature: ECDSA_WITH_SHA256,
    issuer: name,
    subject: name,
    // Valid from an hour ago, in case the clocks differ, and for a year, because a run can take long.
    validity: new x509.Validity({ notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * 365 * HOUR) }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      // go-plugin's client uses this certificate as its only certificate authority.
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

/** The bytes of a Buffer, which can be a view of a larger ArrayBuffer. */
function exactly(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
