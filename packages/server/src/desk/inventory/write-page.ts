import { writeFileSync } from "node:fs";
import { inventoryPage } from "./inventory-page.ts";

writeFileSync(new URL("../../../../../docs/inventory.md", import.meta.url), inventoryPage());
