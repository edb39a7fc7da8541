export { TestPasskey } from "./test-passkey.ts";
export { fileOf, makeRelease, testContent, testHoldings, testLetter, testManifest, testNowMs, testOrigin } from "./test-release.ts";
export type { TestRelease } from "./test-release.ts";
