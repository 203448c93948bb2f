export const refused: string[];
