/* No member is aligned to more than 2. */
#pragma pack(push, 2)
struct halves {
    uint8_t kind;
    uint64_t address;
};
#pragma pack(pop)
