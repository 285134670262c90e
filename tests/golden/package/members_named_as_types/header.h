struct venue { int id; };
struct trade { struct venue venue, second; int grid[2][3]; char bytes[4], more[4]; };
