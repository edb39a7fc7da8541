export { describeCodec } from "./codec-suite.ts";
export type { CodecExpectations } from "./codec-suite.ts";
export { seededRandom } from "./random.ts";
export { loadVectors, vectorPath, vectorsDirectory } from "./vectors.ts";
export { freePort } from "./free-port.ts";
export { createFakeClock } from "./fake-clock.ts";
export type { FakeClock } from "./fake-clock.ts";
export { collectGarbage, heldBufferBytes } from "./memory.ts";
export { isCutOff } from "./is-cut-off.ts";
