export { fillStore } from "./fill-store.ts";
export { openRaw, rawFrame } from "./hostile-sockets.ts";
export { startInProcessServer } from "./in-process-server.ts";
export type { InProcessServer, InProcessWorld } from "./in-process-server.ts";
export { issueCertificate } from "./issue-certificate.ts";
export type { IssuedCertificate } from "./issue-certificate.ts";
export { startFakeS3 } from "../backup/s3/fake-s3.testing.ts";
export type { FakeS3 } from "../backup/s3/fake-s3.testing.ts";
