export { createCountedPeriod, recordOf } from "./counted-period.ts";
export type { CountedPeriod, CountedCase } from "./counted-period.ts";
