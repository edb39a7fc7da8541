import type { Summary } from "./statistics.ts";

/** One figure of a scenario. */
export interface Figure extends Summary {
  readonly name: string;
  /** Such as "ms" or "CPU s / 10,000 messages". */
  readonly unit: string;
  /** The highest (or with `isFloor` the lowest) median that was promised. */
  readonly target?: number;
  readonly isFloor?: boolean;
}

/** What a scenario measured. */
export interface ScenarioResult {
  /** How it was set up: numbers that change the outcome. */
  readonly parameters: Readonly<Record<string, string | number | readonly string[]>>;
  readonly figures: readonly Figure[];
}

/** A named measurement. */
export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** `isQuick` shrinks it to a few seconds: to see that it works, not to quote. @throws Error when what was measured was not correct. */
  run(params: { isQuick: boolean }): Promise<ScenarioResult>;
}
