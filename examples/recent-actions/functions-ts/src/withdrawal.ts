// The function behind the state 'Withdrawal from trading account'.

import { book } from "./trading";

export const handler = book("Withdrawal");
