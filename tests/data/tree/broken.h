#error "this one is for nobody"
