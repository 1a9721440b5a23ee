"""Other libraries' functions over Tensors, with their derivatives: `tm.lift`."""
