export { WitnessError } from "./errors.ts";
export type { WitnessErrorCode } from "./errors.ts";
export { startWitness } from "./witness.ts";
export type { RunningWitness, WitnessEvent, WitnessOptions } from "./witness.ts";
export { witnessStep } from "./step.ts";
export type { OriginState, Replayed, WitnessStep } from "./step.ts";
export { httpLogSource } from "./log-source.ts";
export type { LogSource } from "./log-source.ts";
