// Runs before the first paint, so that a chosen appearance never flashes as the other one.
try {
  const theme = localStorage.getItem("latchkey.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's appearance is used.
}
