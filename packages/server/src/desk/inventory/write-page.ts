import { writeFileSync } from "node:fs";
import { inventoryPage } from "./inventory-page.ts";

// From the root of the project.
writeFileSync("docs/inventory.md", inventoryPage());
