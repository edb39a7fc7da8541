import { providerOf } from "./build-suite.ts";
import { nodePrimitives } from "./node-primitives.ts";
import type { CryptoProvider } from "./suite.ts";

/** Every suite on synchronous node:crypto (Node 26 and later). ML-KEM draws its coins from OpenSSL (decision 0003). */
export const nodeCrypto: CryptoProvider = providerOf(nodePrimitives);
