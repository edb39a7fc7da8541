import { useId } from "react";
import type { ReactElement, ReactNode } from "react";

/** A part of a page of settings, under a heading. */
export function Section({ heading, children }: { readonly heading: string; readonly children: ReactNode }): ReactElement {
  const id = useId();
  return (
    <section aria-labelledby={id} className="section">
      <h2 id={id} className="section-heading">
        {heading}
      </h2>
      {children}
    </section>
  );
}
