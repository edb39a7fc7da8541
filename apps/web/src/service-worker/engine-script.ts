import type { catchUp } from "./engine.ts";

/** What the script of the engine leaves in the worker's scope. */
interface Engine {
  readonly catchUp: typeof catchUp;
}

/** What of a worker's scope is used. */
export interface EngineScope {
  importScripts(address: string): void;
  readonly trustedTypes?: {
    createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
  };
  readonly latchkeyEngine?: Engine | undefined;
}

/**
 * Loads the engine. A worker may load other scripts only while it is installed, and later those alone that it loaded then: the browser has kept
 * them with its own. So it is loaded once during the installation, and from then on when it is needed.
 */
export function createEngineLoader(scope: EngineScope, path: string): () => Engine {
  let address: string | undefined;
  return () => {
    if (scope.latchkeyEngine !== undefined) return scope.latchkeyEngine;
    address ??= scope.trustedTypes?.createPolicy("latchkey-worker", { createScriptURL: () => path }).createScriptURL(path) ?? path;
    scope.importScripts(address);
    if (scope.latchkeyEngine === undefined) throw new Error("The script of the engine left none.");
    return scope.latchkeyEngine;
  };
}
