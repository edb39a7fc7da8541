import { providerOf } from "./build-suite.ts";
import { noblePrimitives } from "./noble-primitives.ts";
import type { CryptoProvider } from "./suite.ts";

/** Every suite in plain JavaScript (@noble): for engines without WebCrypto, and for reproducible tests. */
export const nobleCrypto: CryptoProvider = providerOf(noblePrimitives);
