/**
 * The parts of the AWS SDK, each loaded on first use. Import this file with `import()`: in the package it is a bundle of its own, which a
 * run that makes no call does not read.
 */

export const ec2 = () => import("./ec2");
export const kms = () => import("./kms");
export const organizations = () => import("./organizations");
export const sts = () => import("./sts");
export const config = () => import("./config");
