typedef struct house_of_cards Card;
#define CARD_ACE 1
#define CARD_KING 3

Card *card_new(int first);
