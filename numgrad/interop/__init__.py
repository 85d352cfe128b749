"""numgrad where arrays already live: inside @njit, in dask."""
