struct cell { uint16_t row, column; };
struct board {
    uint8_t squares[8][4];
    struct cell cells[2][3];
};
