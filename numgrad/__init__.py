from numgrad._gradient import gradient
