/** The types of the schema shop@Placed. */

export interface Placed {
  "type": "A" | "B \"quoted\"";
  "detail-type": string;
  "detailType"?: number;
  "next": Node | null;
  "self": Node[][];
  "option"?: OptionType;
  "by name"?: { [name: string]: Node };
  "any"?: unknown;
  "2nd"?: boolean;
}

export interface OptionType {
  "x"?: number | null;
}

export interface Node {
  "in": Node;
  "class"?: string;
  "from"?: number;
}
