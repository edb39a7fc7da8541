import { describe, expect, it } from "vitest";
import { createEngineLoader } from "./engine-script.ts";
import type { EngineScope } from "./engine-script.ts";

const path = "/assets/engine-1.js";

/** A worker's scope in which scripts leave what `load` returns. */
function scope(load: () => EngineScope["latchkeyEngine"], hasTrustedTypes = true) {
  const loaded: string[] = [];
  const policies: string[] = [];
  let engine: EngineScope["latchkeyEngine"];
  const made: EngineScope = {
    importScripts(address) {
      loaded.push(address);
      engine = load();
    },
    get latchkeyEngine() {
      return engine;
    },
    ...(hasTrustedTypes && {
      trustedTypes: {
        createPolicy(name: string, rules: { createScriptURL(url: string): string }) {
          policies.push(name);
          return { createScriptURL: (url: string) => `blessed ${rules.createScriptURL(url)}` };
        },
      },
    }),
  };
  return { made, loaded, policies };
}

const engine: EngineScope["latchkeyEngine"] = { catchUp: async () => undefined };

describe("[O-22] the engine's script", () => {
  it("is loaded once in the life of a worker, by the one policy of the app, which lets through nothing else", () => {
    const { made, loaded, policies } = scope(() => engine);
    const load = createEngineLoader(made, path);
    expect([load(), load()]).toEqual([engine, engine]);
    expect([loaded, policies]).toEqual([[`blessed ${path}`], ["latchkey-worker"]]);
  });

  it("is loaded by its plain address where a browser has no policies", () => {
    const { made, loaded } = scope(() => engine, false);
    expect(createEngineLoader(made, path)()).toBe(engine);
    expect(loaded).toEqual([path]);
  });

  it("that is missing, or another one, is an error each time, and makes the policy once", () => {
    const { made, policies } = scope(() => undefined);
    const load = createEngineLoader(made, path);
    expect(load).toThrow("left none");
    expect(load).toThrow("left none");
    expect(policies).toHaveLength(1);
  });
});
