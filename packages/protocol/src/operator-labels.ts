/** What an operator publishes in the public record, to everybody alike (spec D-8). */
export const operatorLabelNames = ["tokens", "desk", "suspended", "counts", "wake"] as const;
/** One of `operatorLabelNames`. */
export type OperatorLabelName = (typeof operatorLabelNames)[number];

/** Whether anything is published under this name. */
export function isOperatorLabelName(name: string): name is OperatorLabelName {
  return operatorLabelNames.some((known) => known === name);
}
