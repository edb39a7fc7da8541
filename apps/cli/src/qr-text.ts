import { encodeQR } from "qr";

/** A QR code of half blocks, light on dark terminals and dark on light ones alike: a quiet border is drawn with it. */
export function qrText(text: string): string {
  const rows = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    const [upper = [], lower = []] = [rows[y], rows[y + 1]];
    // Black on white whatever the terminal's colours are: scanners expect a light border.
    const squares = upper.map((isDark, x) => block(isDark, lower[x] === true)).join("");
    lines.push(`\u001B[30;107m${squares}\u001B[0m`);
  }
  return `${lines.join("\n")}\n`;
}

function block(upper: boolean, lower: boolean): string {
  if (upper && lower) return "█";
  if (upper) return "▀";
  return lower ? "▄" : " ";
}
