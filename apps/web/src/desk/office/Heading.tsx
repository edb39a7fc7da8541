import { useEffect, useRef } from "react";
import type { ReactElement } from "react";

/** The heading of a page, which has the focus when the page comes. */
export function Heading({ text }: { readonly text: string }): ReactElement {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {text}
    </h1>
  );
}
