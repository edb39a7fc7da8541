import { nobleCrypto } from "./crypto/noble.ts";
import { nodeCrypto } from "./crypto/node.ts";
import type { CryptoProvider } from "./crypto/suite.ts";
import { webCrypto } from "./crypto/web.ts";

/** Every provider, for tests that run on each of them. */
export const allProviders: readonly CryptoProvider[] = [nodeCrypto, webCrypto, nobleCrypto];
