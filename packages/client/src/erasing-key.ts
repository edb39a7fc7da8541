/** Where a profile says that it goes (spec O-12). */
export const erasingKey = "erasing";
