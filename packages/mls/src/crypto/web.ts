import { providerOf } from "./build-suite.ts";
import type { CryptoProvider } from "./suite.ts";
import { webPrimitives } from "./web-primitives.ts";

/** Every suite in a browser: WebCrypto where the engine has the algorithm, @noble elsewhere (decision 0003 for ML-KEM). */
export const webCrypto: CryptoProvider = providerOf(webPrimitives);
