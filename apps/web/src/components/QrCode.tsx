import { useMemo } from "react";
import type { ReactElement } from "react";
import { encodeQR } from "qr";

/** A QR code as a drawing: dark on light in every appearance, since scanners expect it so. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }): ReactElement {
  const { path, size } = useMemo(() => drawQr(text), [text]);
  return (
    <svg className="qr" role="img" aria-label={label} viewBox={`0 0 ${String(size)} ${String(size)}`} shapeRendering="crispEdges">
      <rect width={size} height={size} className="qr-paper" />
      <path d={path} className="qr-ink" />
    </svg>
  );
}

/** The dark squares of a code, as one path; `size` counts the quiet border of 4 squares that scanners need. */
export function drawQr(text: string): { readonly path: string; readonly size: number } {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  let path = "";
  for (const [y, row] of rows.entries()) {
    let start = -1;
    // One step past the end closes a run that reaches it.
    for (let x = 0; x <= row.length; x += 1) {
      if (row[x] === true && start < 0) start = x;
      else if (row[x] !== true && start >= 0) {
        path += `M${String(start)} ${String(y)}h${String(x - start)}v1H${String(start)}z`;
        start = -1;
      }
    }
  }
  return { path, size: rows.length };
}
